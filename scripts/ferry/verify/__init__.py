"""Does a converted model still compute what PyTorch computes?"""
